"""What PyFlink leaves to Java: a name for its hidden step, an exchange without keys, bundles of a step's own size."""

from typing import Final

from pyflink.common import Types
from pyflink.datastream import DataStream, KeyedStream
from pyflink.java_gateway import get_gateway
from pyflink.util.java_utils import load_java_class

PYTHON_OPERATOR: Final = "org.apache.flink.streaming.api.operators.python.AbstractPythonFunctionOperator"


def key_by_user(items: DataStream) -> KeyedStream:
    """Key items by user; names the hidden map that PyFlink adds, as every operator needs a uid."""
    keyed = items.key_by(lambda item: item.key, Types.STRING())
    hidden_map = keyed._j_data_stream.getTransformation().getInputs()[0]
    hidden_map.setUid("key-by-user")
    hidden_map.setName("key by user")
    hidden_map.setDescription("all events of a user to one slot, in their order")
    return keyed


def in_bundles_of(events: int, step: DataStream) -> None:
    """Bound a step's bundles, for which a barrier waits, by its own work.

    `step` is the first of its chain: those that PyFlink puts into the same process share its bundles. PyFlink gives all
    steps the environment's one configuration, from which the step gets a copy. A bundle size in the
    environment (`python.fn-execution.bundle.size`) overrides this one.
    """
    operator = step._j_data_stream.getTransformation().getOperatorFactory().getOperator()
    field = load_java_class(PYTHON_OPERATOR).getDeclaredField("config")
    field.setAccessible(True)
    own = get_gateway().jvm.org.apache.flink.configuration.Configuration(operator.getConfiguration())
    own.setString("python.fn-execution.bundle.size", str(events))
    field.set(operator, own)


def still_by_user(admitted: DataStream) -> DataStream:
    """Send items on through the network, to the slot where their user's events are, without keying the next step.

    Chained, admit and develop would share their bundles, and an event to be held would wait for images that are
    developed. A forward connection parts them too, but its barriers wait behind everything in its buffers.
    """
    jvm = get_gateway().jvm
    keyed = admitted._j_data_stream.keyBy(jvm.KeyByKeySelector(), Types.ROW([Types.STRING()]).get_java_type_info())
    plain = jvm.org.apache.flink.streaming.api.datastream.DataStream
    return DataStream(plain(keyed.getExecutionEnvironment(), keyed.getTransformation()))
