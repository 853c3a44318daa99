package dialect

import (
	"errors"
	"fmt"
)

// Oracle is Oracle Database 12.1 and later. It has no driver here: the SQL is
// tested as text, nothing has run against a server.
var Oracle = &Dialect{
	Name: "oracle", Title: "Oracle",
	quoteOpen: `"`, quoteClose: `"`, placeholder: numbered(":"),
	lockSuffix: " FOR UPDATE", page: pageFetch, newID: idInto,
	EmptyIsNull: true,
	Classify:    classifyOracle,
	Version:     "SELECT 'Oracle ' || version FROM product_component_version FETCH FIRST 1 ROWS ONLY",
}

var oracleNumbers = map[int]Kind{
	1: KindUnique, 2291: KindForeignKey, 2292: KindReferenced, 1400: KindNotNull, 1407: KindNotNull, 2290: KindCheck, 12899: KindTooLong, 1438: KindBadValue, 1722: KindBadValue, 1858: KindBadValue, 1476: KindDivision,
	60: KindContention, 8177: KindContention, 54: KindContention, 30006: KindContention, 18: KindBusy, 20: KindBusy,
	12514: KindUnavailable, 12541: KindUnavailable, 1033: KindUnavailable, 1034: KindUnavailable, 3113: KindLost, 3114: KindLost, 3135: KindLost, 1013: KindTimeout,
	1017: KindAuth, 28000: KindAuth, 28001: KindAuth, 1031: KindPermission, 1653: KindFull, 16000: KindReadOnly,
	942: KindMissing, 904: KindMissing, 6550: KindMissing,
}

// classifyOracle knows a driver's error by its method: both drivers in use have one.
func classifyOracle(err error) (Fault, bool) {
	var server interface{ Code() int }
	if !errors.As(err, &server) {
		return Fault{}, false
	}
	code := server.Code()
	f := numberedFault(oracleNumbers, code, fmt.Sprintf("ORA-%05d", code))
	// ORA-20000 to 20999 are the application's own.
	if code >= 20000 && code <= 20999 {
		f.Kind = KindApplication
	}
	return f, true
}
