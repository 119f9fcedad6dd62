"""The report for people.

content   rows of KPIs to display-ready cells; pure
console   cells to a terminal or to plain text
"""
