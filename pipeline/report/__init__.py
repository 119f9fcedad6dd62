"""The report for people.

content    rows of KPIs to display-ready cells; pure
console    cells to a terminal or to plain text
summary    the same for a terminal: tables of all days, then what the page says; pure
page       the HTML page's texts and tables, from figures, cells, headline, tables, charts; pure
html       the page as one file, with the script and style in assets/
language   words, numbers and days, in english and spanish; pure
"""
