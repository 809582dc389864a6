# vader.awk - VADER's rated texts (number, mood from -4 to 4, text, between tabs) in the layouts of
# the data that they stand in for. Moods beyond half a point are negative and positive.
#     awk -F '\t' -v layout=airline -f vader.awk tweets_GroundTruth.txt
function q(s) {
    gsub(/"/, "\"\"", s)
    return "\"" s "\""
}

BEGIN {
    header["airline"] = "tweet_id,airline_sentiment,text"
    header["climate"] = "sentiment,message,tweetid"
    header["stance"] = "text,label"
    if (layout in header)
        print header[layout]
}

{
    sub(/\r$/, "")
    mood = $2 < -0.5 ? -1 : $2 > 0.5 ? 1 : 0
}

layout == "airline" {
    name = mood < 0 ? "negative" : mood > 0 ? "positive" : "neutral"
    printf "%s,%s,%s\n", $1, name, q($3)
}

# The editorials are the news, the tweets have a mood.
layout == "climate" { printf "%d,%s,%s\n", FILENAME ~ /nyt/ ? 2 : mood, q($3), $1 }

layout == "sentiment140" && mood {
    printf "\"%d\",\"%s\",\"\",\"NO_QUERY\",\"\",%s\n", mood < 0 ? 0 : 4, $1, q($3)
}

layout == "stance" && mood {
    printf "%s,%s\n", q($3), mood < 0 ? "Opposes the product" : "Supports the product"
}

# A file a text, in the folders to/neg and to/pos.
layout == "imdb" && mood {
    file = to "/" (mood < 0 ? "neg" : "pos") "/" $1 ".txt"
    print $3 > file
    close(file)
}

layout == "texts" { print $3 }

# The sentences of an article, whose number stands before the underscore, on a line.
layout == "articles" {
    split($1, part, "_")
    printf "%s%s", part[1] == article ? " " : article == "" ? "" : "\n", $3
    article = part[1]
}
END {
    if (layout == "articles" && article != "")
        print ""
}
