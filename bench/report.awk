# report: medians, spreads, ratios and targets. First file: `round name value` lines; second:
# bench/figures.txt, which tells what is printed. A ratio is taken round by round and the median is
# of the ratios, so that what slows down both sides of a round cancels out.

function sorted(list, count, out,    i, j, value) {
    for (i = 1; i <= count; i++) {
        value = list[i]
        for (j = i - 1; j >= 1 && out[j] > value; j--)
            out[j + 1] = out[j]
        out[j + 1] = value
    }
}

function median_of(list, count,    out) {
    sorted(list, count, out)
    least = out[1]
    greatest = out[count]
    return count % 2 ? out[(count + 1) / 2] : (out[count / 2] + out[count / 2 + 1]) / 2
}

# Fills list with the figure's values over the rounds, divided by those of `below` unless that is
# empty; returns how many there are.
function values(name, below, list,    r, count) {
    count = 0
    for (r = 0; r <= last_round; r++) {
        if (!((r, name) in value) || (below != "" && !((r, below) in value)))
            continue
        if (below != "" && value[r, below] == 0)
            continue
        list[++count] = value[r, name] / (below == "" ? 1 : value[r, below])
    }
    return count
}

function number(x) {
    return x >= 1000 ? sprintf("%.0f", x) : x >= 10 ? sprintf("%.1f", x) : sprintf("%.2f", x)
}

function target(x, sign, bound) {
    if (sign == "")
        return ""
    return sprintf(" (target %s %s: %s)", sign, bound,
                   (sign == ">=" ? x >= bound : x <= bound) ? "met" : "missed")
}

FNR == NR {
    value[$1, $2] = $3
    if ($1 > last_round)
        last_round = $1
    next
}

/^#/ || NF == 0 { next }

# show NAME FIGURE UNIT [SIGN TARGET]
$1 == "show" {
    count = values($3, "", list)
    if (!count)
        next
    middle = median_of(list, count)
    print $2 ": " number(middle) " " $4 target(middle, $5, $6)
    if (count > 1)
        print $2 "_spread: " sprintf("%.0f", middle ? 100 * (greatest - least) / middle : 0) " %"
}

# ratio NAME FIGURE FIGURE [SIGN TARGET]
$1 == "ratio" {
    count = values($3, $4, list)
    if (!count)
        next
    middle = median_of(list, count)
    print $2 ": " sprintf("%.2f", middle) " ratio" target(middle, $5, $6)
}
