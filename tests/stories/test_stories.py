"""The three stories through the worker, the stand-ins and real mail, with the figures of the docs page."""

import pytest
from pytest_django.fixtures import Settings

from headway.demo.stories import STORIES, Story
from headway.demo.world import World
from headway.management.commands.demo_story import expected_figures
from headway.stack import Stack


def test_the_docs_page_has_a_table_for_each_story() -> None:
    assert [story.name for story in STORIES] == [name for name in expected_figures() if expected_figures()[name]]


@pytest.mark.stack
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.play.__name__)
def test_story_ends_with_the_figures_worked_out_by_hand(stack: Stack, settings: Settings, story: Story) -> None:
    stage = story.play(World(), lambda words: None)
    assert stage.figures == expected_figures()[story.name]
