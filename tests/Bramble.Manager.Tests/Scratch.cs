using System.ComponentModel;
using Bramble.Processes;

namespace Bramble.Manager.Tests;

/// <summary>A directory that goes away with the test.</summary>
internal sealed class Scratch : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("bramble-manager-").FullName;

    public string this[string name] => Path.Combine(Root, name);

    public static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Runs a tool, which must succeed; skips the test where the tool is missing.</summary>
    public static async Task RunAsync(string program, string[] arguments, string? input = null)
    {
        try
        {
            var result = await ChildProcess.RunAsync(program, arguments, input, timeout: TimeSpan.FromMinutes(1),
                environment: new Dictionary<string, string> { ["MTOOLS_SKIP_CHECK"] = "1" });
            Assert.True(result.Succeeded, $"{program} {string.Join(' ', arguments)}: {result.Output}{result.Errors}");
        }
        catch (Win32Exception)
        {
            Assert.Skip($"needs the program {program}");
        }
    }

    /// <summary>Writes a file, its directories with it.</summary>
    public string Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllText(this[name], text);
        return this[name];
    }

    /// <summary>Tries until it holds; patience is real time, since another thread's work is waited for.</summary>
    public static async Task UntilAsync(Func<bool> holds, string what)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!holds())
        {
            Assert.False(patience.IsCancellationRequested, $"waited in vain until {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, CancellationToken.None);
        }
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
