# side.awk - the words of several sentences side by side: awk -F '\t' -f side.awk SENTENCES SCORES,
# where SCORES are lines of number of the sentence, word and score, best first.
NR == FNR {
    line = line (NR > 1 ? "\t" : "") $0 "\t"
    n = NR
    next
}
{
    r = ++rank[$1]
    cell[$1, r] = $2 "\t" $3
    most = r > most ? r : most
}
END {
    print line
    for (r = 1; r <= most; r++)
        for (s = 1; s <= n; s++)
            printf "%s%s", cell[s, r], s < n ? "\t" : "\n"
}
