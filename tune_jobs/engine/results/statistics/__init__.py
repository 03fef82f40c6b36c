"""Say how far metrics on the test split can be trusted, and which configurations differ."""
