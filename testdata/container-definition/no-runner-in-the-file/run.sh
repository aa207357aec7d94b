#!/bin/sh
docker run -d --name web nginx:1.29
