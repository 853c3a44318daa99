package web

import (
	"net/http"

	"github.com/provhub/provhub/core/signin"
)

// route is one page or one press of a button.
type route struct {
	pattern string
	// right is what the signed-in person needs; it is checked before handle is called.
	right  signin.Right
	handle func(*site, *visit) error
}

// routes are all of them. GET shows, POST acts and redirects.
var routes = []route{
	{"GET /{$}", signin.See, (*site).showOverview},

	{"GET /connectors/{name}", signin.See, (*site).showConnector},
	{"POST /connectors/{name}/pause", signin.Steer, (*site).pause},
	{"POST /connectors/{name}/drain", signin.Steer, (*site).drain},
	{"POST /connectors/{name}/resume", signin.Steer, (*site).resume},
	{"POST /stop", signin.Steer, (*site).stop},
	{"POST /go", signin.Steer, (*site).goOn},
	{"POST /connectors/{name}/reconcile", signin.Steer, (*site).reconcileNow},
	{"GET /sources/{name}", signin.See, (*site).showSource},
	{"POST /sources/{name}/read", signin.Steer, (*site).readNow},

	{"GET /queue", signin.See, (*site).showQueue},
	{"GET /queue/list", signin.See, (*site).showList},
	{"POST /causes/{cause}/retry", signin.Mend, retry.all},
	{"POST /causes/{cause}/handover", signin.Mend, handOver.all},
	{"POST /causes/{cause}/takeback", signin.Mend, takeBack.all},
	{"POST /causes/{cause}/skip", signin.MendMany, skip.all},
	{"GET /operations/{id}", signin.See, (*site).showOperation},
	{"POST /operations/{id}/retry", signin.Mend, retry.one},
	{"POST /operations/{id}/edit", signin.Mend, (*site).edit},
	{"POST /operations/{id}/skip", signin.Mend, skip.one},
	{"POST /operations/{id}/adopt", signin.Mend, (*site).adopt},
	{"POST /operations/{id}/handover", signin.Mend, handOver.one},
	{"POST /operations/{id}/takeback", signin.Mend, takeBack.one},

	{"GET /people", signin.People, (*site).showSearch},
	{"POST /people", signin.People, (*site).search},
	{"GET /people/{key}", signin.People, (*site).showPerson},
	{"GET /people/{key}/explain/{connector}", signin.People, (*site).explain},

	{"GET /plans", signin.See, (*site).showPlans},
	{"GET /plans/{hash}", signin.See, (*site).showPlan},
	{"POST /plans/{hash}/approve", signin.Decide, (*site).approve},
	{"POST /plans/{hash}/reject", signin.Decide, (*site).reject},

	{"GET /findings", signin.See, (*site).showFindings},
	{"GET /findings/list", signin.See, (*site).listFindings},
	{"GET /findings/export", signin.People, (*site).exportFindings},
	{"GET /findings/{finding}", signin.See, (*site).showFinding},

	{"GET /alerts", signin.See, (*site).showAlerts},
	{"GET /nodes", signin.See, (*site).showNodes},
	{"GET /runs", signin.See, (*site).showRuns},
	{"GET /audit", signin.Audit, (*site).showAudit},
	{"POST /audit", signin.Audit, (*site).searchAudit},

	{"GET /users", signin.Audit, (*site).showUsers},
	{"POST /users", signin.Admit, (*site).addUser},
	{"GET /users/{user}", signin.Audit, (*site).showUser},
	{"POST /users/{user}/role", signin.Admit, (*site).giveRole},
	{"POST /users/{user}/password", signin.Admit, (*site).newPassword},
	{"POST /users/{user}/disable", signin.Admit, (*site).disableUser},
	{"POST /users/{user}/enable", signin.Admit, (*site).enableUser},
	{"POST /users/{user}/signout", signin.Admit, (*site).signOutUser},

	{"GET /account", signin.See, (*site).showAccount},
	{"POST /account/password", signin.See, (*site).changePassword},
	{"POST /signout", signin.See, (*site).signOut},
}

// callbackPath is where an identity provider sends people back to.
const callbackPath = "/signin/oidc/callback"

// handler puts the routes together. url is where browsers reach them.
func (s *site) handler(url string) (http.Handler, error) {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.Handle(r.pattern, s.signedIn(r))
	}
	mux.HandleFunc("GET /signin", s.showSignIn)
	mux.HandleFunc("POST /signin", s.signIn)
	mux.HandleFunc("GET /signin/oidc", s.goToProvider)
	mux.HandleFunc("GET "+callbackPath, s.backFromProvider)
	mux.Handle("GET /static/", static())
	mux.HandleFunc("/", s.nothingHere)

	protect := http.NewCrossOriginProtection()
	if err := protect.AddTrustedOrigin(url); err != nil { // behind a proxy that changes the Host
		return nil, err
	}
	protect.SetDenyHandler(http.HandlerFunc(s.crossOrigin))
	return s.headers(protect.Handler(mux)), nil
}
