"""The views in the order of the navigation: a view is a line here, and a file or a package beside."""

from app.ui import accuracy, overview, runs
from app.ui.explorer import view as explorer
from app.ui.predict import view as predict
from app.ui.view import View

VIEWS: tuple[View, ...] = (overview.VIEW, explorer.VIEW, accuracy.VIEW, runs.VIEW, predict.VIEW)
