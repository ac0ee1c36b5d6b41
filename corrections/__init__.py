"""The human side: gateway, leases, devices, scripted people. Read `intervention.py` first."""
