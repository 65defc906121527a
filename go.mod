module pitstop

go 1.26.0
