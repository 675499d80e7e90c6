using Microsoft.Extensions.Logging;

namespace Bramble.Boot.Images;

public sealed partial class ImageStore
{
    private static partial class Log
    {
        [LoggerMessage(5000, LogLevel.Information,
            "Image {Name} added: {SizeBytes} bytes, {Architecture}, {OsName}, from {Source}")]
        public static partial void Added(ILogger logger, string name, long sizeBytes, string architecture,
            string osName, string source);

        [LoggerMessage(5001, LogLevel.Information, "Image {Name} removed")]
        public static partial void Removed(ILogger logger, string name);

        [LoggerMessage(5002, LogLevel.Information, "Swept {Path}, left by an addition that was cut off")]
        public static partial void Swept(ILogger logger, string path);

        [LoggerMessage(5003, LogLevel.Error, "Image in {Path} is left out: {Reason}")]
        public static partial void LeftOut(ILogger logger, string path, string reason);

        [LoggerMessage(5004, LogLevel.Warning, "Image {Name} could not be added: {Reason}")]
        public static partial void AddFailed(ILogger logger, string name, string reason);

        [LoggerMessage(5005, LogLevel.Warning, "{Path} could not be removed: {Reason}")]
        public static partial void NotSwept(ILogger logger, string path, string reason);
    }
}
