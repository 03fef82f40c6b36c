"""The wall around Ray Tune: nothing else imports it."""
