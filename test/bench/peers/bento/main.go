// Bento with the four component packs that the benchmark uses, for there is no binary of it on this registry.
package main

import (
	"context"

	_ "github.com/warpstreamlabs/bento/public/components/avro"
	_ "github.com/warpstreamlabs/bento/public/components/io"
	_ "github.com/warpstreamlabs/bento/public/components/kafka"
	_ "github.com/warpstreamlabs/bento/public/components/pure"
	"github.com/warpstreamlabs/bento/public/service"
)

func main() {
	service.RunCLI(context.Background())
}
