"""Run tasks on Ray Tune, behind a wall: nothing else imports it."""
