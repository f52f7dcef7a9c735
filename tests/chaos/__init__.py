"""The promise under faults: every 250 has one letter and one receipt, whatever dies, fails or fills up meanwhile."""
