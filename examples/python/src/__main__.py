from hubplugin import launch
from connector import JSONAPI

launch.serve(JSONAPI)
