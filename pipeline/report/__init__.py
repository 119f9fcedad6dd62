"""The report for people.

content   rows of KPIs to display-ready cells; pure
console   cells to a terminal or to plain text
summary   the same for a terminal: tables of all days, then what the page says; pure
html      the page as one file, with the script and style in assets/
page      the page's texts and tables; pure
headline  figures of a period and how they changed; pure
tables    its tables; pure
charts    its charts, as specifications; pure
figures   the rows that it is made from; pure
cells     their sums, as the page carries them; pure
script    what its script works with; pure
measures  what is measured, for the script as well; pure
period    periods of days; pure
language  words, numbers and days; pure
words     the languages that there are; pure
english   one of them; pure
spanish   the other; pure
quality   whether a day's figures may be trusted; pure
"""
