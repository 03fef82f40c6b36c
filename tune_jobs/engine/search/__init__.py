"""How configurations are proposed, and the weak ones stopped."""
