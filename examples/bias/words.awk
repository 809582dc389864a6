# words.awk - a line a word, a column a sentence: awk -F '\t' -f words.awk SENTENCES SCORES. The sum of a
# word's scores stands first, to sort by.
NR == FNR {
    title = title "\t" $0
    n = NR
    next
}
!($2 in sum) { word[++words] = $2 }
{
    score[$2, $1] = $3
    sum[$2] += $3
}
END {
    print "inf\tword" title
    for (w = 1; w <= words; w++) {
        printf "%s\t%s", sum[word[w]], word[w]
        for (s = 1; s <= n; s++)
            printf "\t%s", score[word[w], s]
        print ""
    }
}
