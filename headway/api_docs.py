"""The description of the API and the page that shows it, for anyone: they tell nothing of any person."""

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny


class Schema(SpectacularAPIView):
    permission_classes = (AllowAny,)
    authentication_classes = ()


class Docs(SpectacularSwaggerSplitView):
    permission_classes = (AllowAny,)
    url_name = "api:schema"


schema = Schema.as_view()
# The documentation sets styles in its markup; its scripts are this site's own files.
docs = csp_update({"style-src": [UNSAFE_INLINE]})(Docs.as_view())
