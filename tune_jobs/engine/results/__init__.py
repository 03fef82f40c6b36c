"""What a run leaves behind: leaderboard, statistics, report, TensorBoard."""
