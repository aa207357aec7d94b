package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"runner-preflight/checks"
	"runner-preflight/checks/engine"
)

// daemonTime is how long the docker daemon may take to tell of itself and of its containers. One that has many of them
// takes a second or two, and several times that on a busy machine.
const daemonTime = 10 * time.Second

// askDaemon finds the docker daemon as docker's CLI does, and asks it about itself and its containers. That is no use of
// the network: it is done with --offline too.
func (o options) askDaemon(ctx context.Context, p process, in *checks.Input) {
	address, err := engine.Find(engine.Surroundings{
		Env: p.env, ReadFile: osFiles{}.ReadFile,
		Exists: func(path string) bool { _, err := os.Stat(path); return err == nil }, User: os.Getuid(),
	})
	if err != nil {
		in.Untold = &engine.Failure{Kind: engine.Unsupported, Detail: err.Error()}
		return
	}
	in.Engine = engine.New(address, o.timeout)
	ctx, cancel := context.WithTimeout(ctx, min(o.timeout, daemonTime))
	defer cancel()
	var wait sync.WaitGroup
	wait.Go(func() {
		told, err := in.Engine.Info(ctx)
		if err == nil {
			in.Told = &told
		} else if !errors.As(err, &in.Untold) {
			in.Untold = &engine.Failure{Kind: engine.Failed, Detail: err.Error()}
		}
	})
	wait.Go(func() {
		var err error
		in.Containers, err = in.Engine.Containers(ctx)
		_ = errors.As(err, &in.Unlisted)
	})
	wait.Wait()
}
