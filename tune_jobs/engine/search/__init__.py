"""Propose configurations, and stop the weak ones early."""
