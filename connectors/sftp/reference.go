package sftp

import (
	"errors"

	"github.com/provhub/provhub/connectors/connector"
	"github.com/provhub/provhub/connectors/sftp/feed"
	"github.com/provhub/provhub/connectors/sftp/outbox"
)

// references makes sure that the accounts are there which an account names.
func (t *Target) references(tx *outbox.Tx, id string, r *feed.Row) error {
	if r == nil {
		return nil
	}
	for _, a := range r.Attributes {
		for _, v := range a.Values {
			ref, ok := v.(connector.Ref)
			if !ok || ref.ID == id { // somebody can be their own manager
				continue
			}
			held, err := tx.Load(ref.ID)
			if err != nil {
				return err
			}
			if other, err := decodeRow(held.Want); err != nil || visible(other) == nil {
				return errors.Join(err, &connector.Error{Code: connector.CodeDependencyMissing, Attributes: []string{a.Name},
					Message: "the account that " + a.Name + " refers to is not in the files yet"})
			}
		}
	}
	return nil
}
