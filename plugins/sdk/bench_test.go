//go:build unix

package sdk

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/grpc"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/plugins/protocol"
	pb "github.com/provhub/provhub/schemas/gen/pluginv1"
)

// BenchmarkApply measures the whole write path against a connector that does
// nothing: encoding, mutual TLS, the engine, and the answers.
func BenchmarkApply(b *testing.B) {
	for _, bm := range []struct {
		name   string
		client func(b *testing.B) pb.ConnectorServiceClient
		op     func(id string) connector.Operation
	}{
		{"process/update", func(b *testing.B) pb.ConnectorServiceClient { return startProcess(b).rpc }, small},
		{"process/create-1KiB", func(b *testing.B) pb.ConnectorServiceClient { return startProcess(b).rpc }, large},
		{"memory/update", func(b *testing.B) pb.ConnectorServiceClient { return serve(b, lab{done}) }, small},
	} {
		b.Run(bm.name, func(b *testing.B) { benchmarkApply(b, bm.client(b), bm.op) })
	}
}

func small(id string) connector.Operation {
	return connector.Update{Call: connector.Call{ID: id, Key: id, Attempt: 1, OrderingKey: id}, Target: connector.Ref{Type: "user", ID: id}}
}

func large(id string) connector.Operation {
	c := connector.Create{Call: connector.Call{ID: id, Key: id, Attempt: 1, OrderingKey: id}, Type: "user", Correlate: connector.Correlation{Attribute: "userName", Value: id}}
	for i := range 16 {
		c.Attributes = append(c.Attributes, connector.Attribute{Name: fmt.Sprint("attribute", i), Values: connector.Values{"a value of some forty characters, as usual"}})
	}
	return c
}

func benchmarkApply(b *testing.B, c pb.ConnectorServiceClient, op func(string) connector.Operation) {
	const batch, window = 100, 1000
	var batches []*pb.ApplyRequest
	for i := 0; i < b.N; i += batch {
		ob := &pb.OperationBatch{}
		for k := i; k < min(i+batch, b.N); k++ {
			p, err := protocol.ToProtoOperation(op(fmt.Sprintf("op-%d", k)))
			if err != nil {
				b.Fatal(err)
			}
			ob.Operations = append(ob.Operations, p)
		}
		batches = append(batches, &pb.ApplyRequest{Message: &pb.ApplyRequest_Batch{Batch: ob}})
	}
	s := openApply(b, c)
	free := make(chan struct{}, window/batch)
	b.ReportAllocs()
	b.ResetTimer()
	go sendAll(s, batches, free)
	for answered := 0; ; {
		m, err := s.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		before := answered / batch
		answered += len(m.GetBatch().GetResults())
		for range answered/batch - before {
			<-free
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

func sendAll(s grpc.BidiStreamingClient[pb.ApplyRequest, pb.ApplyResponse], batches []*pb.ApplyRequest, free chan struct{}) {
	for _, m := range batches {
		free <- struct{}{}
		if s.Send(m) != nil {
			return
		}
	}
	_ = s.CloseSend()
}
