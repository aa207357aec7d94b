#!/bin/sh
docker run -d -p 80:80 nginx:1.27
