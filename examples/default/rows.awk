# rows.awk - VADER's files of ratings to rows: CSV with the columns label and text.
#     awk -v out=DIR -f rows.awk tweets_GroundTruth.txt ... lexicon.txt
#
# A rating is the mean of what 10 to 100 people said, from -4 to 4. Below -0.5 it is negative, above
# 0.5 positive, as the experiments with these files have it.
#
# Of equal texts (capitals, spaces and signs aside) the first stays, so none is on both sides. A
# tenth is held out, tweets apart, and a twentieth to watch the training by; sentences of one article
# or product review (the number before `_`) stay together. The lexicon's words are no rows to learn
# from; that they are words to keep whole is all that is made of them.

BEGIN {
    FS = "\t"
    split("train valid tweets other words", part, " ")
    for (i in part) {
        file[part[i]] = out "/" part[i] ".csv"
        print "label,text" > file[part[i]]
    }
}

FNR == 1 { nth = 0; lexicon = FILENAME ~ /lexicon/; tweet = FILENAME ~ /tweets/ }

{
    sub(/\r$/, "")
    text = lexicon ? $1 : $3
    score = $2 + 0
    same = tolower(text)
    if (!lexicon)
        gsub(/[^a-z0-9]+/, " ", same)
    if (text == "" || seen[same]++)
        next
    nth++
    whole = $1
    sub(/_.*/, "", whole)
    turn = ($1 ~ /_/ ? whole : nth) % 20
    to = lexicon ? "words" : turn % 10 == 0 ? (tweet ? "tweets" : "other") : turn == 5 ? "valid" : "train"
    label = score < -0.5 ? "negative" : score <= 0.5 ? "neutral" : "positive"
    gsub(/"/, "\"\"", text)
    printf "%s,\"%s\"\n", label, text > file[to]
}
