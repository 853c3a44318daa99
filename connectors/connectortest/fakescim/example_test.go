package fakescim_test

import (
	"context"
	"fmt"

	"github.com/provhub/provhub/clients/scim"
	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/connectortest/fakescim"
)

// A service that plays a dialect, a fault, and what the service holds afterwards.
func Example() {
	profile, err := scim.LoadProfile("aws-identity-center")
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := fakescim.New(fakescim.Options{Profile: profile})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	client, err := scim.New(scim.Options{BaseURL: s.URL(), Profile: profile, Auth: scim.Bearer(s.Secrets()["token"]), CAs: s.CertPool()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	s.Arm(fakescim.Fault{Name: fakescim.CreateThen504, Times: 1})
	_, err = client.Create(context.Background(), scim.Users, scim.Resource{"userName": "jane", "externalId": "E1"})
	fmt.Println(connector.ResultOf("", connector.Ref{}, err).Outcome)
	jane, made := s.User("jane")
	fmt.Println(made, jane.ExternalID, s.Log()[0])
	// Output:
	// unknown
	// true E1 POST /Users 504
}
