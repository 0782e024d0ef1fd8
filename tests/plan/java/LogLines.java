import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/** Logs a message and an exception that hold the given text. */
public class LogLines {
    public static void main(String[] arguments) {
        Logger log = LogManager.getLogger("PythonWorker");
        log.info("an ordinary line");
        log.warn("by a message: " + arguments[0]);
        Exception cause = new IllegalStateException("by a cause: " + arguments[0]);
        log.error("by an exception", new RuntimeException("outer: " + arguments[0], cause));
    }
}
