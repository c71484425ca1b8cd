"""What things cost, what was paid and earned, as the API tells it; and every write that moves a price or money."""
