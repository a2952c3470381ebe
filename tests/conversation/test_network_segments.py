"""Tables of numbered things."""

import numpy as np
import pytest

from plasticish.conversation.segments import Table, with_room
from plasticish.core import DataError


def make_table():
    return Table({"one": (np.float32, 1), "three": (np.int32, 3)}, most=10)


def test_numbers_are_given_in_order_and_released_ones_again():
    table = make_table()
    assert table.take(4).tolist() == [0, 1, 2, 3]
    table.release(np.array([1, 2]))
    assert (len(table), table.alive, table.room) == (4, 2, 8)
    assert sorted(table.take(3).tolist()) == [1, 2, 4]
    assert (len(table["one"]), len(table["three"])) == (5, 15)


def test_what_is_written_stays_while_the_table_grows():
    table = make_table()
    for number in range(10):
        table.take(1)
        table["one"][number] = number
        table["three"][3 * number :] = number
    assert table["one"].tolist() == list(range(10))
    assert table["three"].tolist() == [number for number in range(10) for _ in range(3)]
    with pytest.raises(DataError, match="the table is full"):
        table.take(1)
    assert len(table) == 10


def test_a_table_comes_back_and_gives_the_same_numbers():
    table, again = make_table(), make_table()
    table.take(6)
    table["one"][:] = 0.5
    table.release(np.array([4, 2]))
    again.restore(table.export())
    assert again["one"].tolist() == table["one"].tolist()
    assert again.take(3).tolist() == table.take(3).tolist()


@pytest.mark.parametrize("name", ["one", "three", "free"])
def test_columns_that_do_not_fit_are_refused(name):
    table, again = make_table(), make_table()
    table.take(6)
    table.release(np.array([5]))
    tensors = table.export()
    tensors[name] = tensors[name].repeat(2)[:-1] if name != "free" else tensors[name] + 9
    with pytest.raises(DataError, match="does not fit"):
        again.restore(tensors)
    assert len(again) == 0


def test_room_doubles():
    column = np.arange(3)
    assert with_room(column, 3) is column
    assert len(with_room(column, 5)) == 8


def test_memory_taken_at_birth_is_enough_for_what_it_was_taken_for():
    table = Table({"one": (np.float32, 1), "three": (np.int32, 3)}, most=100, ready=16)
    born = table.nbytes
    assert born == 16 * (4 + 12)
    table.take(16)
    assert table.nbytes == born
    again = Table({"one": (np.float32, 1), "three": (np.int32, 3)}, most=100, ready=16)
    again.restore(table.export())
    again.release(np.arange(8))
    again.take(8)
    assert (again.nbytes, len(again)) == (born, 16)
    again.take(1)
    assert again.nbytes > born
