"""Who somebody is and how they prove it: users, roles, sessions, tickets, sign-in limits."""
