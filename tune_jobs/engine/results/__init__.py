"""Write what a run leaves behind: leaderboard, statistics, report, TensorBoard's logs."""
