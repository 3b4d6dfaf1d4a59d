# SPDX-License-Identifier: GPL-2.0-only
# Draws what `bench --sizes growth --csv FILE` wrote: the cost of each operation against the size of
# the world it runs in, one picture a workload.
#
#	gnuplot -e "csv='bench.csv'" bench/plot.gp
#
# folder: where the pictures go [.]; points: medians, bars: the least and nine tenths of the rounds.
if (!exists("csv")) csv = 'bench.csv'
if (!exists("folder")) folder = '.'

set terminal svg size 900,600 dynamic background '#ffffff'
set datafile separator ','
set logscale xy
set format x '10^{%L}'
set ylabel 'ns per operation'
set key outside right top
set grid

# Operations that are there at more than one size.
ops(workload) = system(sprintf("awk -F, 'NR > 1 && $1 == \"%s\" && !seen[$2, $5]++ && ++n[$2] == 2 { print $2 }' %s", workload, csv))
points(workload, op) = sprintf("< awk -F, 'NR > 1 && $1 == \"%s\" && $2 == \"%s\"' %s", workload, op, csv)

workloads = system(sprintf("awk -F, 'NR > 1 && !seen[$1]++ { print $1 }' %s", csv))
do for [workload in workloads] {
	list = ops(workload)
	if (strlen(list) == 0) { continue }
	set output folder.'/'.workload.'.svg'
	set title 'mapsim: '.workload
	what = workload[1:1]
	set xlabel what eq 'p' ? 'memory types' : what eq 'v' ? 'VMAs' : 'leaves'
	plot for [op in list] points(workload, op) using 5:8:7:9 with yerrorlines title op noenhanced
	unset output
}
