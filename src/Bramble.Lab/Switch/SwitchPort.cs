namespace Bramble.Lab.Switch;

/// <summary>pethPsePortDetectionStatus (RFC 3621).</summary>
public enum PoeDetection
{
    Disabled = 1,
    Searching = 2,
    DeliveringPower = 3,
    Fault = 4,
    Test = 5,
    OtherFault = 6,
}

/// <summary>One port of a virtual switch. The switch alone changes it, under its lock.</summary>
internal sealed class SwitchPort(int number)
{
    public int Number { get; } = number;

    /// <summary>pethPsePortAdminEnable: whether power may flow.</summary>
    public bool IsOn { get; set; } = true;

    /// <summary>Watts that the attached board draws; null with nothing attached.</summary>
    public double? AttachedWatts { get; set; }

    /// <summary>A short circuit, or a board that draws too much: no power flows though it may.</summary>
    public bool HasFault { get; set; }

    /// <summary>The power supply had none left for this board.</summary>
    public bool IsDenied { get; set; }

    public uint Denied { get; set; }

    public uint Overloads { get; set; }

    /// <summary>1 critical, 2 high, 3 low.</summary>
    public int Priority { get; set; } = 3;

    public string Label { get; set; } = "";

    public PoeDetection Detection =>
        !IsOn ? PoeDetection.Disabled
        : HasFault ? PoeDetection.Fault
        : AttachedWatts is null || IsDenied ? PoeDetection.Searching
        : PoeDetection.DeliveringPower;

    public bool HasLink => Detection == PoeDetection.DeliveringPower;

    /// <summary>pethPsePortPowerClassifications: 1 is class 0. Boards up to 3.84 W are class 1, and so on.</summary>
    public int Class => AttachedWatts switch
    {
        null => 1,
        <= 3.84 => 2,
        <= 6.49 => 3,
        <= 12.95 => 4,
        _ => 5,
    };
}
