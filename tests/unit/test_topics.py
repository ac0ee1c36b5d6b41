import dataclasses
import inspect

from infra.columns import arrow_schema, field_types
from infra.topics import DEAD_LETTERS, TOPICS
from policy import schema


def test_every_record_with_a_boot_has_exactly_one_topic() -> None:
    flowing = {
        cls
        for _, cls in inspect.getmembers(schema, inspect.isclass)
        if dataclasses.is_dataclass(cls) and any(f.name == "boot_id" for f in dataclasses.fields(cls))
    }
    assert {topic.record for topic in TOPICS} == flowing
    assert len(TOPICS) == len(flowing)


def test_names_are_unique_and_keys_are_text_fields() -> None:
    names = [topic.name for topic in TOPICS]
    assert len({*names, DEAD_LETTERS}) == len(names) + 1
    for topic in TOPICS:
        assert field_types(topic.record)[topic.key] is str


def test_kept_records_carry_the_idempotence_key() -> None:
    for topic in TOPICS:
        if topic.is_kept:
            assert {"boot_id", "seq"} <= set(field_types(topic.record))


def test_every_record_has_columns() -> None:
    for topic in TOPICS:
        assert arrow_schema(topic.record).names == list(field_types(topic.record))
