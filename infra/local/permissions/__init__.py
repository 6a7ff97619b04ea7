"""Permissions in force: which call a role may make, by the policies that were deployed, and what that leaves unused.

  calls.py     one call and whether it is allowed. Pure: the same for a live call and for one read from the log
  holders.py   whose policies they are: names of roles and resources that every environment shares
  policies.py  the policies that stacks deployed
  hook.py      the emulator asks here before it serves a call
  deployment.py  what CloudFormation does with a stack's execution role
  derived.py   calls that AWS's services make themselves, which the emulator does not: a table, derived.json (rows.py)
  service.py   what tests tell: a service's sessions, events, an action taken away
  report.py    from the log of calls: what was used, what never, and what would have been denied without it
"""
