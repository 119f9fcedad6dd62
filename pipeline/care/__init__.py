"""What is right and what is wrong with a lake at rest, decided on listings and accounts. Pure.

needed   which files the versions of a table need, and which nobody needs any more
account  whether commits, ledger and files tell one story
truth    whether the master holds what the generator knows
finding  what a check finds wrong
"""
