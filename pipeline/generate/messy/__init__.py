"""The generator's facts as platforms deliver them, in a mess, and what must come of it. Pure.

dice      chance that is the same for the same seed
facts     what each campaign did on a day, and how much of it is known so many days later
plan      which delivery comes when, and over which days
text      how numbers, days and rows are written
dialects  the forms in which Google Ads, Meta and TikTok files come
form      how one file is laid out
google    the files of Google Ads
meta      those of Meta
tiktok    those of TikTok
damage    rows that no contract lets pass
files     files in their order of arrival, and the rows that the master must hold in the end
truth     both as tables
"""
