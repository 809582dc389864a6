# bars.gp - words down, a bar for each sentence: gnuplot -c bars.gp TABLE PICTURE SENTENCES WORDS
file = ARG1
n = int(ARG3)
rows = int(ARG4)
wide = 0.8 / n
array colour[3] = ["#0072B2", "#D55E00", "#009E73"]
set terminal pngcairo size 800, 150 + 24 * n + 26 * rows font "DejaVu Sans,11" noenhanced
set output ARG2
set datafile separator "\t" commentschars ""
set style fill solid 0.9 noborder
set title "What stands in the gap"
set xlabel "Probability"
set ytics scale 0
set yrange [rows - 0.5:-0.5]
set xrange [0:*]
set grid xtics
set key at screen 0.5, screen 0.01 bottom center vertical maxrows n Left reverse
set bmargin 4 + n
plot file every ::1 using (0):0:ytic(1) with points pointtype -1 notitle, \
    for [k = 1:n] file every ::1 \
    using (column(k + 1) / 2):($0 - 0.4 + wide * (k - 0.5)):(column(k + 1) / 2):(wide / 2) with \
    boxxyerror linecolor rgb colour[1 + (k - 1) % 3] \
    title system(sprintf("sed 1q '%s' | cut -f %d", file, k + 1))
