"""What every service stands on: settings, errors, RPC, database, process. Knows no letter."""
