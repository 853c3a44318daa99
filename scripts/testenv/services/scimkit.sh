# A second SCIM service, for the conformance suite alone: it counts whatever is there.
. "$TESTENV_HOME/services/scim.sh"

svc_start() { start_scim SCIM_KIT 13081 PROVHUB_TEST_SCIM_KIT; }
svc_check() { check_scim SCIM_KIT; }
