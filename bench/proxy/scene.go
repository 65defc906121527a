package main

import (
	"fmt"
	"regexp"
	"slices"
)

const mebibyte = 1 << 20

// scene is one kind of load on one app.
type scene struct {
	app         string
	kind        kind
	connections int
}

// kind is what a request carries.
type kind string

const (
	get  kind = "get"  // a small answer
	down kind = "down" // an answer of 1 MiB
	up   kind = "up"   // a request of 1 MiB
)

func (s scene) name() string { return fmt.Sprintf("%s/%s/%d", s.app, s.kind, s.connections) }

func (k kind) path() string {
	if k == down {
		return "/large"
	}
	return "/"
}

// seconds is the length of a measurement, given that of small ones: with many large bodies under way each takes long.
func (s scene) seconds(small int) int {
	if s.kind != get && s.connections > 64 {
		return 3 * small
	}
	return small
}

// scenes are those of an app that match.
func scenes(a app, quick bool, only *regexp.Regexp) []scene {
	var all []scene
	for _, k := range []kind{get, down} {
		for _, n := range []int{1, 8, 64, 512} {
			all = append(all, scene{a.name, k, n})
		}
	}
	all = append(all, scene{a.name, up, 64})
	return slices.DeleteFunc(all, func(s scene) bool {
		return !only.MatchString(s.name()) || quick && !slices.Contains(quickScenes, s.name()) ||
			only.String() == "" && slices.Contains(askedFor, s.name())
	})
}

var (
	quickScenes = []string{"node/get/64", "fast/get/1", "fast/get/64", "fast/down/8", "fast/up/64"}
	// askedFor are played only if -only names them: they take time and tell little that others do not.
	askedFor = []string{"node/down/1", "node/down/512"}
)
