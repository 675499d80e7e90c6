namespace Bramble.Lab.Commands;

/// <summary>Faults that a person can mend are said in one line, not as a stack of calls.</summary>
internal static class Failures
{
    public static async Task<int> ShownAsync(Func<Task<int>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException
            or System.ComponentModel.Win32Exception or FormatException)
        {
            await Console.Error.WriteLineAsync($"bramble-lab: {e.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
    }
}
