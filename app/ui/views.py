"""The views in the order of the navigation: a view is a line here, and a file or a package beside."""

from app.ui import predict
from app.ui.accuracy import view as accuracy
from app.ui.explorer import view as explorer
from app.ui.overview import view as overview
from app.ui.runs import view as runs
from app.ui.view import View

VIEWS: tuple[View, ...] = (overview.VIEW, explorer.VIEW, accuracy.VIEW, runs.VIEW, predict.VIEW)
