# plot.bash - what stands in a picture, for plot.bats and plot-data.bats.

need_gnuplot() {
  command -v gnuplot >/dev/null || skip "no gnuplot"
}

texts() { sed -n 's/.*<text>\(.*\)<\/text>.*/\1/p' "$1" | sed 's/^ //'; }

# shapes SVG XLO XHI YLO YHI: what is drawn in the area between the axes, in their numbers: the
# points of each curve ("1 x y": curve, place), the bars ("2 left right height").
shapes() {
  awk -v xlo="$2" -v xhi="$3" -v ylo="$4" -v yhi="$5" '
    function show(v) { v = sprintf("%.2f", v); sub(/\.?0+$/, "", v); return v == "-0" ? "0" : v }
    function x(px) { return show(xlo + (px - left) / (right - left) * (xhi - xlo)) }
    function y(px) { return show(ylo + (bottom - px) / (bottom - top) * (yhi - ylo)) }
    FNR == NR { # the border comes last
      if ($0 ~ /d=.M.* Z/) {
        split($0, part, /[M, LZ]+/)
        for (i in part) if (part[i] ~ /^d=/) at = i
        left = part[at + 1]; top = part[at + 2]; bottom = part[at + 4]; right = part[at + 5]
      }
      next
    }
    /gnuplot_plot_[0-9]+. / { curve++ }
    curve && /<use / {
      sub(/.*translate\(/, "")
      split($0, part, /[,)]/)
      px = part[1]; py = part[2]
      if (px > left - 1 && px < right + 1 && py > top - 1 && py < bottom + 1)
        print curve, x(px), y(py)
    }
    curve && /<polygon / {
      split($0, part, /points = .|,| /)
      for (i = 1; part[i] !~ /^[0-9.]+$/ || part[i + 1] !~ /^[0-9.]+$/ || part[i + 2] !~ /\./; i++) ;
      if (part[i + 1] < bottom + 1)
        print curve, x(part[i]), x(part[i + 2]), y(part[i + 5])
    }' "$1" "$1"
}

# cells SVG: the colours of a heat map, in the order of its cells.
cells() {
  awk '/gnuplot_plot_1/ { on = 1 } on && /<\/g>/ && n { exit }
    on && /<polygon/ { match($0, /rgb\([^)]*\)/); print substr($0, RSTART, RLENGTH); n++ }' "$1" |
    tr -d ' '
}

# is FILE: standard input.
is() { diff "$1" - >&2; }

# size PNG: its width and height.
size() { od -A n -j 16 -N 8 -t u1 "$1" | awk '{ print $3 * 256 + $4, $7 * 256 + $8 }'; }
