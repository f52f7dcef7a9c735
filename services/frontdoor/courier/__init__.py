"""The courier: leases notices, words them, sends them, and settles them with the carrier's own words."""
