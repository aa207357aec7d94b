//go:build !unix

package main

// noFollow is nothing where the system has no such flag: folders are walked by what their entries are there.
const noFollow = 0
