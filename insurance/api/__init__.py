"""Plans, benefits, pauses, claims and files as the API tells them."""
