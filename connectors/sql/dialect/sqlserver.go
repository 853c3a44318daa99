package dialect

import (
	"errors"
	"fmt"
)

// SQLServer is Microsoft SQL Server and Azure SQL. It has no driver here yet: the
// SQL is tested as text, nothing has run against a server.
var SQLServer = &Dialect{
	Name: "sqlserver", Title: "SQL Server",
	quoteOpen: "[", quoteClose: "]", placeholder: numbered("@p"),
	// UPDLOCK and SERIALIZABLE together keep a second create of the same key out,
	// which a bare MERGE does not.
	lockHint: " WITH (UPDLOCK, SERIALIZABLE)", page: pageTop, newID: idOutput,
	Classify: classifySQLServer,
	Version:  "SELECT 'SQL Server ' + CAST(SERVERPROPERTY('ProductVersion') AS varchar(32))",
}

var sqlServerNumbers = map[int32]Kind{
	2627: KindUnique, 2601: KindUnique, 547: KindForeignKey, 515: KindNotNull, 8152: KindTooLong, 2628: KindTooLong, 245: KindBadValue, 8114: KindBadValue, 8134: KindDivision, 220: KindBadValue,
	1205: KindContention, 1222: KindContention, 3960: KindContention, 40613: KindUnavailable, 40501: KindBusy, 49918: KindBusy, 49919: KindBusy, 49920: KindBusy, 10928: KindBusy,
	18456: KindAuth, 18452: KindAuth, 229: KindPermission, 230: KindPermission, 262: KindPermission, 3906: KindReadOnly, 1105: KindFull,
	208: KindMissing, 207: KindMissing, 2812: KindMissing, 4060: KindMissing, -2: KindTimeout, 50000: KindApplication,
}

// classifySQLServer knows the driver's error by its method, so that this package
// does not need the driver.
func classifySQLServer(err error) (Fault, bool) {
	var server interface{ SQLErrorNumber() int32 }
	if !errors.As(err, &server) {
		return Fault{}, false
	}
	return numberedFault(sqlServerNumbers, server.SQLErrorNumber(), fmt.Sprintf("SQL Server %d", server.SQLErrorNumber())), true
}

// numberedFault looks a native number up.
func numberedFault[N comparable](kinds map[N]Kind, n N, native string) Fault {
	k, ok := kinds[n]
	if !ok {
		k = KindUnclassified
	}
	return Fault{Kind: k, Native: native}
}
